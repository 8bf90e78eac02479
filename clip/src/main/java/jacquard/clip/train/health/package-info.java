/// What a run is watched for.
package jacquard.clip.train.health;
