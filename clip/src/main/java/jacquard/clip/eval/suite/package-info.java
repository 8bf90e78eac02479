/// Runs models over test sets: features once, then any number of protocols, each with a result in CLIP_benchmark's
/// form.
package jacquard.clip.eval.suite;
