/// What a run tells while it goes on: a progress line, metrics as JSON lines, event files for TensorBoard.
package jacquard.clip.report.log;
