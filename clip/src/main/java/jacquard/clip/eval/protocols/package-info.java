/// What is measured of a model on a set, a protocol a file.
package jacquard.clip.eval.protocols;
