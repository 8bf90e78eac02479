/// Models: their configs as OpenCLIP writes them, the named presets, the towers.
package jacquard.clip.model;
