/// What every tower answers, whatever its family: features and tokens, and the facts about its tensors.
package jacquard.clip.model.tower;
