package jacquard.clip.train;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Schedule;
import jacquard.clip.image.Augmentation;

/// What a training does, but for its data and its model.
///
/// @param batch      pairs a step and rank
/// @param accumulate micro-batches a step; the step is that of the joined batch
/// @param clip       limit of the gradient norm, 0 for none
/// @param evaluate   steps between evaluations
/// @param save       steps between checkpoints
/// @param locks      towers that are not trained, or only in part
public record Plan(int batch, int accumulate, long steps, Schedule schedule, Optimizer.Rule rule, double decay, double clip, boolean sigmoid, long seed,
                   Augmentation augmentation, long evaluate, long save, Locks locks) {}
