/// What features are worth to a classifier that is trained on them: linear probes by two protocols, few shots, nearest
/// neighbours.
package jacquard.clip.eval.probe;
