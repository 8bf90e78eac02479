/// Parquet files beside shards.
package jacquard.clip.data.parquet;
