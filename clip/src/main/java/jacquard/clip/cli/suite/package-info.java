/// Evaluation on data sets and suites by name.
package jacquard.clip.cli.suite;
