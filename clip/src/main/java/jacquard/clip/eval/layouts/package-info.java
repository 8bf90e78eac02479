/// How test sets lie on disk: a reader a layout, and one writer of the layout that CLIP_benchmark reads.
package jacquard.clip.eval.layouts;
