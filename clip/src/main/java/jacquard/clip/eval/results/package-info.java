/// Results of evaluations side by side, with those that others published.
package jacquard.clip.eval.results;
