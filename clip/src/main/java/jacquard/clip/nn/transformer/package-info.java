/// What transformers are made of: attention, its cache and rotary positions, the MLP, and the blocks of both.
package jacquard.clip.nn.transformer;
