/// CLIP's ResNets.
package jacquard.clip.model.resnet;
