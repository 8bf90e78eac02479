/// Real photographs and real weights that come as packages of ordinary registries: what `./jacquard demo photos` shows.
package jacquard.clip.photos;
