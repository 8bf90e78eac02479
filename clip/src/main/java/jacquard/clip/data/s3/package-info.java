/// Object storage of the S3 kind, over the JDK's client.
package jacquard.clip.data.s3;
