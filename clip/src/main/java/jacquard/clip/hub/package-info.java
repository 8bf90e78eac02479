/// Models from the hub: names, published weights, downloads that resume and are verified, and the cache that Python's
/// client shares.
package jacquard.clip.hub;
