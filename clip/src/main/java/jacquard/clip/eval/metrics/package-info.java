/// What an evaluation says of predictions, rankings and choices: accuracies, averages, intervals. No model and no file.
package jacquard.clip.eval.metrics;
