/// How near written captions come to those of people: BLEU, ROUGE-L and CIDEr-D, on words as the Penn Treebank cuts
/// them. The numbers of pycocoevalcap 1.2.
package jacquard.clip.eval.captioning;
