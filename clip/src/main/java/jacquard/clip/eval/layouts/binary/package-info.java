/// The classic binary files: MNIST's, CIFAR's, STL-10's.
package jacquard.clip.eval.layouts.binary;
