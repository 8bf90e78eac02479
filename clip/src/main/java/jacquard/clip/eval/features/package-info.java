/// A model that is measured, and where its features are kept.
package jacquard.clip.eval.features;
