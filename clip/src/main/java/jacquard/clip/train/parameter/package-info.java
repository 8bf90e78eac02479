/// What a training knows of single parameters: which learn, how fast, how they decay, and what only counts.
package jacquard.clip.train.parameter;
