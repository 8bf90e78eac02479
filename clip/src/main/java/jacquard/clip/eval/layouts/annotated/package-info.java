/// Pictures beside a file that says what belongs to them: captions, or choices among captions.
package jacquard.clip.eval.layouts.annotated;
