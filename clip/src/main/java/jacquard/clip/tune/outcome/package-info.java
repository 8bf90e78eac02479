/// What is measured of an adaptation, what is kept against what is learned, and what one might do next.
package jacquard.clip.tune.outcome;
