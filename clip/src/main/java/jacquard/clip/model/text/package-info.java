/// CLIP's text transformer.
package jacquard.clip.model.text;
