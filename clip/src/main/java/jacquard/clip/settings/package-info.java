/// Configs as records: read from JSON, written back, changed by dotted assignments. An unknown key or a wrong type is
/// an error that names the source, the key, the value and what was expected.
package jacquard.clip.settings;
