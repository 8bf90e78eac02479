/// Everything a training run shows people: a progress bar, metric logs (JSONL and TensorBoard), charts, galleries of
/// ranked images, and a report of the run as one picture and one page. Nothing here touches a tensor: numbers and
/// images come in, text and pictures go out.
package jacquard.clip.report;
