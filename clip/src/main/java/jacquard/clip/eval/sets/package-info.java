/// The data sets and suites that are known by name, their classes and sentences, and what a test set is once it is
/// read.
package jacquard.clip.eval.sets;
