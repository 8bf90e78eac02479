/// Runs models over sets by name; each protocol's result is a file in CLIP_benchmark's form.
package jacquard.clip.eval.suite;
