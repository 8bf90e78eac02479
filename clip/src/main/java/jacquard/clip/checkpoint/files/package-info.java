/// Files that appear whole or not at all, folders that one run at a time may use, files mapped into memory.
package jacquard.clip.checkpoint.files;
