/// Parts that towers of convolutions share.
package jacquard.clip.nn.convolution;
