/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The encoders of this build. Alone in a file, so that a host of tests can
 * have others. */
#include "common/macros.h"
#include "hostd/encoder_videotoolbox.h"

const struct ph_encoder_ops *const ph_encoder_table[] = {
#ifdef __APPLE__
        &ph_encoder_videotoolbox,
#endif
        &ph_encoder_nvenc,
        &ph_encoder_vaapi,
        &ph_encoder_qsv,
#ifdef PH_HAVE_X264
        &ph_encoder_x264,
#endif
        &ph_encoder_libx264,
#ifdef PH_HAVE_OPENH264
        &ph_encoder_openh264,
#endif
};
const size_t ph_encoder_table_size = PH_LEN(ph_encoder_table);
