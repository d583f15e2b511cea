/** The value types that flow between decoding, models and encoding. */

/** 8-bit interleaved samples (HWC), rows from top to bottom, no padding: `data.length === width * height * channels`. */
export interface Pixels {
  data: Uint8Array;
  width: number;
  height: number;
  /** 1 grey, 3 sRGB, 4 sRGB with straight alpha. */
  channels: 1 | 3 | 4;
}

/** One channel of 32-bit floats (an alpha matte, a depth map), rows from top to bottom; the range is stated where it is used. */
export interface Plane {
  data: Float32Array;
  width: number;
  height: number;
}

/**
 * One frame of a clip: 8-bit planar Y′CbCr 4:2:0, BT.709, limited range, chroma sited left. Sides are even; `data` is the
 * luma plane and then Cb and Cr at half the size, `width * height * 3 / 2` samples.
 */
export interface Frame extends Size {
  data: Uint8Array;
}

export interface Size {
  width: number;
  height: number;
}

/** The picture formats that are taken, recognised by content. */
export const imageFormats = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const;
export type ImageFormat = (typeof imageFormats)[number];

/** The picture formats that are written. */
export const outputFormats = ['png', 'webp', 'jpg'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export const contentTypes = {
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  avif: 'image/avif',
  tiff: 'image/tiff',
  gif: 'image/gif',
} satisfies Record<ImageFormat | OutputFormat, string>;

/** What the header of a picture says, orientation applied. */
export interface ImageFacts extends Size {
  format: ImageFormat;
  hasAlpha: boolean;
  bytes: number;
}

/** What a picture may be; checked against its header before a pixel is decoded. */
export interface ImageLimits {
  /** Default 50 MB. */
  maxBytes: number;
  /** width × height, default 50 million. */
  maxPixels: number;
  /** Longest side in pixels, default 30,000. */
  maxSide: number;
}
