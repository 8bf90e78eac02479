/// What is learned beside a model whose weights stay: prompts, names' vectors, small nets, remembered pictures; a kind
/// a file, [Learned][jacquard.clip.tune.learned.Learned] their index.
package jacquard.clip.tune.learned;
