/// Weights between those of several models, and means of many.
package jacquard.clip.tune.blend;
