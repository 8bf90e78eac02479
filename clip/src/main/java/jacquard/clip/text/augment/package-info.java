/// What training changes of captions by chance.
package jacquard.clip.text.augment;
