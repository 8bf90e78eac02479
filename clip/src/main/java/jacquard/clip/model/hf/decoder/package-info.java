/// Small language models as text towers: Llama and its kin by one record of options.
package jacquard.clip.model.hf.decoder;
