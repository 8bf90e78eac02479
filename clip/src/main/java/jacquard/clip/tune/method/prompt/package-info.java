/// Methods that learn what stands around names.
package jacquard.clip.tune.method.prompt;
