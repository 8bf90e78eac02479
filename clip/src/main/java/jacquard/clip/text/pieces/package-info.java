/// The models that cut a word into pieces of a vocabulary: word pieces, byte pairs, unigrams.
package jacquard.clip.text.pieces;
