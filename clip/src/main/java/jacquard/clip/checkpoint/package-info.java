/// Weights on disk: safetensors, whole and in shards; files that appear whole or not at all; folders that one run at a
/// time may use.
package jacquard.clip.checkpoint;
