/// GenLIP: one trunk for patches and words, which foretells captions.
package jacquard.clip.model.genlip;
