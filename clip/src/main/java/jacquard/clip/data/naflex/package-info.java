/// Batches of pictures of any size: how many patches a step's pictures have, and how many pictures a step has (NaFlex).
package jacquard.clip.data.naflex;
