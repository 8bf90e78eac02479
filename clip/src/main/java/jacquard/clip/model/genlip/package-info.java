/// GenLIP, one trunk for patches and words: read, not built yet.
package jacquard.clip.model.genlip;
