/// Copies of runs elsewhere.
package jacquard.clip.train.remote;
