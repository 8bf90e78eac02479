/// Pairs of pictures and captions by number: drawings of emoji, folders, tables, and parts of them.
package jacquard.clip.data.source;
