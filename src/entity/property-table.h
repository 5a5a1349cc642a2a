/* Every property of every type of entity, in the order of the wire (protocol 06b sections 3 and 4).
 * Decoder, encoder, defaults, limits and JSON come from here.
 *
 * X(NAME, number, KIND, JSON path, default, limits)
 *   number   of the Vircadia dialect; those from 92 on mean something else for each type
 *   KIND     enum property_kind
 *   default  N(numbers), S(text), or NONE: zeros, empty, null
 *   limits   RANGE(low, high) of each component, NAMES(list of property-names.h), or ANY
 *
 * Lengths are metres, angles degrees where the JSON of upstream has degrees (Light, Gizmo, haze,
 * Material) and radians elsewhere (particles, angular velocity), times seconds; created is in
 * microseconds, scriptTimestamp in milliseconds since 1970. */
#pragma once

/* clang-format off */

#define USER_AGENT_DEFAULT \
	"Mozilla/5.0 (Linux; Android 6.0; Nexus 5 Build/MRA58N) AppleWebKit/537.36 (KHTML, like Gecko) " \
	"Chrome/69.0.3497.113 Mobile Safari/537.36"

#define ENTITY_PROPERTIES_BASE(X) \
	X(SIMULATION_OWNER, 2, OWNER, "simulationOwner", NONE, ANY) \
	X(PARENT_ID, 3, UUID, "parentID", NONE, ANY) \
	X(PARENT_JOINT_INDEX, 4, U16, "parentJointIndex", N(65535), ANY) \
	X(VISIBLE, 5, BOOL, "visible", N(1), ANY) \
	X(NAME, 6, STR, "name", NONE, ANY) \
	X(LOCKED, 7, BOOL, "locked", NONE, ANY) \
	X(USER_DATA, 8, STR, "userData", NONE, ANY) \
	X(PRIVATE_USER_DATA, 9, STR, "privateUserData", NONE, ANY) \
	X(HREF, 10, STR, "href", NONE, ANY) \
	X(DESCRIPTION, 11, STR, "description", NONE, ANY) \
	X(POSITION, 12, VEC3, "position", NONE, RANGE(-16384, 16384)) \
	X(DIMENSIONS, 13, VEC3, "dimensions", N(0.1, 0.1, 0.1), RANGE(0.001, INFINITY)) \
	X(ROTATION, 14, QUAT, "rotation", N(0, 0, 0, 1), ANY) \
	X(REGISTRATION_POINT, 15, VEC3, "registrationPoint", N(0.5, 0.5, 0.5), RANGE(0, 1)) \
	X(CREATED, 16, U64, "created", NONE, ANY) \
	X(LAST_EDITED_BY, 17, UUID, "lastEditedBy", NONE, ANY) \
	X(QUERY_AA_CUBE, 20, CUBE, "queryAACube", NONE, ANY) \
	X(CAN_CAST_SHADOW, 21, BOOL, "canCastShadow", N(1), ANY) \
	X(RENDER_LAYER, 23, ENUM, "renderLayer", NONE, NAMES(render_layer)) \
	X(PRIMITIVE_MODE, 24, ENUM, "primitiveMode", NONE, NAMES(primitive_mode)) \
	X(IGNORE_PICK_INTERSECTION, 25, BOOL, "ignorePickIntersection", NONE, ANY) \
	X(RENDER_WITH_ZONES, 26, UUIDS, "renderWithZones", NONE, ANY) \
	X(BILLBOARD_MODE, 27, ENUM, "billboardMode", NONE, NAMES(billboard_mode)) \
	X(GRAB_GRABBABLE, 28, BOOL, "grab.grabbable", N(1), ANY) \
	X(GRAB_KINEMATIC, 29, BOOL, "grab.grabKinematic", N(1), ANY) \
	X(GRAB_FOLLOWS_CONTROLLER, 30, BOOL, "grab.grabFollowsController", N(1), ANY) \
	X(GRAB_TRIGGERABLE, 31, BOOL, "grab.triggerable", NONE, ANY) \
	X(GRAB_EQUIPPABLE, 32, BOOL, "grab.equippable", NONE, ANY) \
	X(GRAB_DELEGATE_TO_PARENT, 33, BOOL, "grab.grabDelegateToParent", N(1), ANY) \
	X(GRAB_LEFT_EQUIPPABLE_POSITION_OFFSET, 34, VEC3, "grab.equippableLeftPosition", NONE, ANY) \
	X(GRAB_LEFT_EQUIPPABLE_ROTATION_OFFSET, 35, QUAT, "grab.equippableLeftRotation", N(0, 0, 0, 1), ANY) \
	X(GRAB_RIGHT_EQUIPPABLE_POSITION_OFFSET, 36, VEC3, "grab.equippableRightPosition", NONE, ANY) \
	X(GRAB_RIGHT_EQUIPPABLE_ROTATION_OFFSET, 37, QUAT, "grab.equippableRightRotation", N(0, 0, 0, 1), ANY) \
	X(GRAB_EQUIPPABLE_INDICATOR_URL, 38, STR, "grab.equippableIndicatorURL", NONE, ANY) \
	X(GRAB_EQUIPPABLE_INDICATOR_SCALE, 39, VEC3, "grab.equippableIndicatorScale", N(1, 1, 1), ANY) \
	X(GRAB_EQUIPPABLE_INDICATOR_OFFSET, 40, VEC3, "grab.equippableIndicatorOffset", NONE, ANY) \
	X(DENSITY, 41, F32, "density", N(1000), RANGE(100, 10000)) \
	X(VELOCITY, 42, VEC3, "velocity", NONE, ANY) \
	X(ANGULAR_VELOCITY, 43, VEC3, "angularVelocity", NONE, ANY) \
	X(GRAVITY, 44, VEC3, "gravity", NONE, ANY) \
	X(ACCELERATION, 45, VEC3, "acceleration", NONE, ANY) \
	X(DAMPING, 46, F32, "damping", N(0.39347), RANGE(0, 1)) \
	X(ANGULAR_DAMPING, 47, F32, "angularDamping", N(0.39347), RANGE(0, 1)) \
	X(RESTITUTION, 48, F32, "restitution", N(0.5), RANGE(0, 0.99)) \
	X(FRICTION, 49, F32, "friction", N(0.5), RANGE(0, 10)) \
	X(LIFETIME, 50, F32, "lifetime", N(-1), ANY) \
	X(COLLISIONLESS, 51, BOOL, "collisionless", NONE, ANY) \
	X(COLLISION_MASK, 52, U16, "collisionMask", N(31), ANY) \
	X(DYNAMIC, 53, BOOL, "dynamic", NONE, ANY) \
	X(COLLISION_SOUND_URL, 54, STR, "collisionSoundURL", NONE, ANY) \
	X(ACTION_DATA, 55, BYTES, "actionData", NONE, ANY) \
	X(CLONEABLE, 56, BOOL, "cloneable", NONE, ANY) \
	X(CLONE_LIFETIME, 57, F32, "cloneLifetime", N(300), ANY) \
	X(CLONE_LIMIT, 58, F32, "cloneLimit", NONE, ANY) \
	X(CLONE_DYNAMIC, 59, BOOL, "cloneDynamic", NONE, ANY) \
	X(CLONE_AVATAR_ENTITY, 60, BOOL, "cloneAvatarEntity", NONE, ANY) \
	X(CLONE_ORIGIN_ID, 61, UUID, "cloneOriginID", NONE, ANY) \
	X(SCRIPT, 62, STR, "script", NONE, ANY) \
	X(SCRIPT_TIMESTAMP, 63, U64, "scriptTimestamp", NONE, ANY) \
	X(SERVER_SCRIPTS, 64, STR, "serverScripts", NONE, ANY) \
	X(ITEM_NAME, 65, STR, "itemName", NONE, ANY) \
	X(ITEM_DESCRIPTION, 66, STR, "itemDescription", NONE, ANY) \
	X(ITEM_CATEGORIES, 67, STR, "itemCategories", NONE, ANY) \
	X(ITEM_ARTIST, 68, STR, "itemArtist", NONE, ANY) \
	X(ITEM_LICENSE, 69, STR, "itemLicense", NONE, ANY) \
	X(LIMITED_RUN, 70, U32, "limitedRun", N(4294967295), ANY) \
	X(MARKETPLACE_ID, 71, STR, "marketplaceID", NONE, ANY) \
	X(EDITION_NUMBER, 72, U32, "editionNumber", NONE, ANY) \
	X(ENTITY_INSTANCE_NUMBER, 73, U32, "entityInstanceNumber", NONE, ANY) \
	X(CERTIFICATE_ID, 74, STR, "certificateID", NONE, ANY) \
	X(CERTIFICATE_TYPE, 75, STR, "certificateType", NONE, ANY) \
	X(STATIC_CERTIFICATE_VERSION, 76, U32, "staticCertificateVersion", NONE, ANY)

#define PULSE_PROPERTIES(X) \
	X(PULSE_MIN, 86, F32, "pulse.min", NONE, ANY) \
	X(PULSE_MAX, 87, F32, "pulse.max", N(1), ANY) \
	X(PULSE_PERIOD, 88, F32, "pulse.period", N(1), ANY) \
	X(PULSE_COLOR_MODE, 89, ENUM, "pulse.colorMode", NONE, NAMES(pulse_mode)) \
	X(PULSE_ALPHA_MODE, 90, ENUM, "pulse.alphaMode", NONE, NAMES(pulse_mode))

/* D: what it is when nobody said which shape. */
#define SHAPE_PROPERTIES(X, D) \
	X(COLOR, 84, RGB, "color", N(255, 255, 255), ANY) \
	X(ALPHA, 85, F32, "alpha", N(1), RANGE(0, 1)) \
	PULSE_PROPERTIES(X) \
	X(SHAPE, 92, STR, "shape", D, NAMES(shape))

#define ENTITY_PROPERTIES_BOX(X) SHAPE_PROPERTIES(X, S("Cube"))

#define ENTITY_PROPERTIES_SPHERE(X) SHAPE_PROPERTIES(X, S("Sphere"))

#define ENTITY_PROPERTIES_SHAPE(X) SHAPE_PROPERTIES(X, S("Sphere"))

#define ENTITY_PROPERTIES_MODEL(X) \
	X(SHAPE_TYPE, 82, ENUM, "shapeType", NONE, NAMES(shape_type)) \
	X(COMPOUND_SHAPE_URL, 83, STR, "compoundShapeURL", NONE, ANY) \
	X(COLOR, 84, RGB, "color", N(255, 255, 255), ANY) \
	X(TEXTURES, 91, STR, "textures", NONE, ANY) \
	X(MODEL_URL, 92, STR, "modelURL", NONE, ANY) \
	X(MODEL_SCALE, 93, VEC3, "modelScale", N(1, 1, 1), ANY) \
	X(JOINT_ROTATIONS_SET, 94, BOOLS, "jointRotationsSet", NONE, ANY) \
	X(JOINT_ROTATIONS, 95, QUATS, "jointRotations", NONE, ANY) \
	X(JOINT_TRANSLATIONS_SET, 96, BOOLS, "jointTranslationsSet", NONE, ANY) \
	X(JOINT_TRANSLATIONS, 97, VEC3S, "jointTranslations", NONE, ANY) \
	X(RELAY_PARENT_JOINTS, 98, BOOL, "relayParentJoints", NONE, ANY) \
	X(GROUP_CULLED, 99, BOOL, "groupCulled", NONE, ANY) \
	X(BLENDSHAPE_COEFFICIENTS, 100, STR, "blendshapeCoefficients", NONE, ANY) \
	X(USE_ORIGINAL_PIVOT, 101, BOOL, "useOriginalPivot", NONE, ANY) \
	X(ANIMATION_URL, 102, STR, "animation.url", NONE, ANY) \
	X(ANIMATION_ALLOW_TRANSLATION, 103, BOOL, "animation.allowTranslation", N(1), ANY) \
	X(ANIMATION_FPS, 104, F32, "animation.fps", N(30), ANY) \
	X(ANIMATION_FRAME_INDEX, 105, F32, "animation.currentFrame", NONE, ANY) \
	X(ANIMATION_PLAYING, 106, BOOL, "animation.running", NONE, ANY) \
	X(ANIMATION_LOOP, 107, BOOL, "animation.loop", N(1), ANY) \
	X(ANIMATION_FIRST_FRAME, 108, F32, "animation.firstFrame", NONE, ANY) \
	X(ANIMATION_LAST_FRAME, 109, F32, "animation.lastFrame", N(100000), ANY) \
	X(ANIMATION_HOLD, 110, BOOL, "animation.hold", NONE, ANY)

#define ENTITY_PROPERTIES_TEXT(X) \
	PULSE_PROPERTIES(X) \
	X(TEXT, 92, STR, "text", NONE, ANY) \
	X(LINE_HEIGHT, 93, F32, "lineHeight", N(0.1), ANY) \
	X(TEXT_COLOR, 94, RGB, "textColor", N(255, 255, 255), ANY) \
	X(TEXT_ALPHA, 95, F32, "textAlpha", N(1), ANY) \
	X(BACKGROUND_COLOR, 96, RGB, "backgroundColor", NONE, ANY) \
	X(BACKGROUND_ALPHA, 97, F32, "backgroundAlpha", N(1), ANY) \
	X(LEFT_MARGIN, 98, F32, "leftMargin", NONE, ANY) \
	X(RIGHT_MARGIN, 99, F32, "rightMargin", NONE, ANY) \
	X(TOP_MARGIN, 100, F32, "topMargin", NONE, ANY) \
	X(BOTTOM_MARGIN, 101, F32, "bottomMargin", NONE, ANY) \
	X(UNLIT, 102, BOOL, "unlit", NONE, ANY) \
	X(FONT, 103, STR, "font", S("Roboto"), ANY) \
	X(TEXT_EFFECT, 104, ENUM, "textEffect", NONE, NAMES(text_effect)) \
	X(TEXT_EFFECT_COLOR, 105, RGB, "textEffectColor", N(255, 255, 255), ANY) \
	X(TEXT_EFFECT_THICKNESS, 106, F32, "textEffectThickness", N(0.2), RANGE(0, 0.5)) \
	X(TEXT_ALIGNMENT, 107, ENUM, "alignment", NONE, NAMES(alignment))

#define ENTITY_PROPERTIES_IMAGE(X) \
	X(COLOR, 84, RGB, "color", N(255, 255, 255), ANY) \
	X(ALPHA, 85, F32, "alpha", N(1), RANGE(0, 1)) \
	PULSE_PROPERTIES(X) \
	X(IMAGE_URL, 92, STR, "imageURL", NONE, ANY) \
	X(EMISSIVE, 93, BOOL, "emissive", NONE, ANY) \
	X(KEEP_ASPECT_RATIO, 94, BOOL, "keepAspectRatio", N(1), ANY) \
	X(SUB_IMAGE, 95, RECT, "subImage", NONE, ANY)

#define ENTITY_PROPERTIES_WEB(X) \
	X(COLOR, 84, RGB, "color", N(255, 255, 255), ANY) \
	X(ALPHA, 85, F32, "alpha", N(1), RANGE(0, 1)) \
	PULSE_PROPERTIES(X) \
	X(SOURCE_URL, 92, STR, "sourceUrl", NONE, ANY) \
	X(DPI, 93, U16, "dpi", N(30), ANY) \
	X(SCRIPT_URL, 94, STR, "scriptURL", NONE, ANY) \
	X(MAX_FPS, 95, U8, "maxFPS", N(10), ANY) \
	X(INPUT_MODE, 96, ENUM, "inputMode", NONE, NAMES(input_mode)) \
	X(SHOW_KEYBOARD_FOCUS_HIGHLIGHT, 97, BOOL, "showKeyboardFocusHighlight", N(1), ANY) \
	X(WEB_USE_BACKGROUND, 98, BOOL, "useBackground", N(1), ANY) \
	X(USER_AGENT, 99, STR, "userAgent", S(USER_AGENT_DEFAULT), ANY)

#define ENTITY_PROPERTIES_PARTICLE_EFFECT(X) \
	X(SHAPE_TYPE, 82, ENUM, "shapeType", N(15), NAMES(shape_type)) \
	X(COMPOUND_SHAPE_URL, 83, STR, "compoundShapeURL", NONE, ANY) \
	X(COLOR, 84, RGB, "color", N(255, 255, 255), ANY) \
	X(ALPHA, 85, F32, "alpha", N(1), RANGE(0, 1)) \
	PULSE_PROPERTIES(X) \
	X(TEXTURES, 91, STR, "textures", NONE, ANY) \
	X(MAX_PARTICLES, 92, U32, "maxParticles", N(1000), RANGE(1, 100000)) \
	X(LIFESPAN, 93, F32, "lifespan", N(3), RANGE(0, 86400)) \
	X(EMITTING_PARTICLES, 94, BOOL, "isEmitting", N(1), ANY) \
	X(EMIT_RATE, 95, F32, "emitRate", N(15), RANGE(0, 100000)) \
	X(EMIT_SPEED, 96, F32, "emitSpeed", N(5), RANGE(0, 1000)) \
	X(SPEED_SPREAD, 97, F32, "speedSpread", N(1), RANGE(0, 1000)) \
	X(EMIT_ORIENTATION, 98, QUAT, "emitOrientation", N(-0.7071, 0, 0, 0.7071), ANY) \
	X(EMIT_DIMENSIONS, 99, VEC3, "emitDimensions", NONE, RANGE(0, 32768)) \
	X(EMIT_RADIUS_START, 105, F32, "emitRadiusStart", N(1), RANGE(0, 1)) \
	X(POLAR_START, 101, F32, "polarStart", NONE, RANGE(0, 3.1416)) \
	X(POLAR_FINISH, 102, F32, "polarFinish", NONE, RANGE(0, 3.1416)) \
	X(AZIMUTH_START, 103, F32, "azimuthStart", N(-3.14159265), RANGE(-3.1416, 3.1416)) \
	X(AZIMUTH_FINISH, 104, F32, "azimuthFinish", N(3.14159265), RANGE(-3.1416, 3.1416)) \
	X(EMIT_ACCELERATION, 106, VEC3, "emitAcceleration", N(0, -9.8, 0), RANGE(-100, 100)) \
	X(ACCELERATION_SPREAD, 100, VEC3, "accelerationSpread", NONE, RANGE(0, 100)) \
	X(PARTICLE_RADIUS, 107, F32, "particleRadius", N(0.025), RANGE(0, 32768)) \
	X(RADIUS_SPREAD, 108, F32, "radiusSpread", NONE, ANY) \
	X(RADIUS_START, 109, F32, "radiusStart", N(NAN), ANY) \
	X(RADIUS_FINISH, 110, F32, "radiusFinish", N(NAN), ANY) \
	X(COLOR_SPREAD, 111, RGB, "colorSpread", NONE, ANY) \
	X(COLOR_START, 112, FCOL, "colorStart", N(NAN, NAN, NAN), ANY) \
	X(COLOR_FINISH, 113, FCOL, "colorFinish", N(NAN, NAN, NAN), ANY) \
	X(ALPHA_SPREAD, 114, F32, "alphaSpread", NONE, RANGE(0, 1)) \
	X(ALPHA_START, 115, F32, "alphaStart", N(NAN), ANY) \
	X(ALPHA_FINISH, 116, F32, "alphaFinish", N(NAN), ANY) \
	X(EMITTER_SHOULD_TRAIL, 117, BOOL, "emitterShouldTrail", NONE, ANY) \
	X(PARTICLE_SPIN, 118, F32, "particleSpin", NONE, RANGE(-6.2831853, 6.2831853)) \
	X(SPIN_SPREAD, 121, F32, "spinSpread", NONE, RANGE(0, 6.2831853)) \
	X(SPIN_START, 119, F32, "spinStart", N(NAN), ANY) \
	X(SPIN_FINISH, 120, F32, "spinFinish", N(NAN), ANY) \
	X(PARTICLE_ROTATE_WITH_ENTITY, 122, BOOL, "rotateWithEntity", NONE, ANY)

#define ENTITY_PROPERTIES_LINE(X) \
	X(COLOR, 84, RGB, "color", N(255, 255, 255), ANY) \
	X(LINE_POINTS, 92, VEC3S, "linePoints", NONE, ANY)

#define ENTITY_PROPERTIES_POLYLINE(X) \
	X(COLOR, 84, RGB, "color", N(255, 255, 255), ANY) \
	X(TEXTURES, 91, STR, "textures", NONE, ANY) \
	X(LINE_POINTS, 92, VEC3S, "linePoints", NONE, ANY) \
	X(STROKE_WIDTHS, 93, F32S, "strokeWidths", NONE, ANY) \
	X(STROKE_NORMALS, 94, VEC3S, "normals", NONE, ANY) \
	X(STROKE_COLORS, 95, VEC3S, "strokeColors", NONE, ANY) \
	X(IS_UV_MODE_STRETCH, 96, BOOL, "isUVModeStretch", N(1), ANY) \
	X(LINE_GLOW, 97, BOOL, "glow", NONE, ANY) \
	X(LINE_FACE_CAMERA, 98, BOOL, "faceCamera", NONE, ANY)

#define ENTITY_PROPERTIES_POLYVOX(X) \
	X(VOXEL_VOLUME_SIZE, 92, VEC3, "voxelVolumeSize", N(32, 32, 32), ANY) \
	X(VOXEL_DATA, 93, BYTES, "voxelData", NONE, ANY) \
	X(VOXEL_SURFACE_STYLE, 94, U16, "voxelSurfaceStyle", N(2), ANY) \
	X(X_TEXTURE_URL, 95, STR, "xTextureURL", NONE, ANY) \
	X(Y_TEXTURE_URL, 96, STR, "yTextureURL", NONE, ANY) \
	X(Z_TEXTURE_URL, 97, STR, "zTextureURL", NONE, ANY) \
	X(X_N_NEIGHBOR_ID, 98, UUID, "xNNeighborID", NONE, ANY) \
	X(Y_N_NEIGHBOR_ID, 99, UUID, "yNNeighborID", NONE, ANY) \
	X(Z_N_NEIGHBOR_ID, 100, UUID, "zNNeighborID", NONE, ANY) \
	X(X_P_NEIGHBOR_ID, 101, UUID, "xPNeighborID", NONE, ANY) \
	X(Y_P_NEIGHBOR_ID, 102, UUID, "yPNeighborID", NONE, ANY) \
	X(Z_P_NEIGHBOR_ID, 103, UUID, "zPNeighborID", NONE, ANY)

#define ENTITY_PROPERTIES_GRID(X) \
	X(COLOR, 84, RGB, "color", N(255, 255, 255), ANY) \
	X(ALPHA, 85, F32, "alpha", N(1), RANGE(0, 1)) \
	PULSE_PROPERTIES(X) \
	X(GRID_FOLLOW_CAMERA, 92, BOOL, "followCamera", N(1), ANY) \
	X(MAJOR_GRID_EVERY, 93, U32, "majorGridEvery", N(5), RANGE(1, INFINITY)) \
	X(MINOR_GRID_EVERY, 94, F32, "minorGridEvery", N(1), ANY)

#define ENTITY_PROPERTIES_GIZMO(X) \
	X(GIZMO_TYPE, 92, ENUM, "gizmoType", NONE, NAMES(gizmo_type)) \
	X(START_ANGLE, 93, F32, "ring.startAngle", NONE, ANY) \
	X(END_ANGLE, 94, F32, "ring.endAngle", N(360), ANY) \
	X(INNER_RADIUS, 95, F32, "ring.innerRadius", NONE, RANGE(0, 1)) \
	X(INNER_START_COLOR, 96, RGB, "ring.innerStartColor", N(255, 255, 255), ANY) \
	X(INNER_END_COLOR, 97, RGB, "ring.innerEndColor", N(255, 255, 255), ANY) \
	X(OUTER_START_COLOR, 98, RGB, "ring.outerStartColor", N(255, 255, 255), ANY) \
	X(OUTER_END_COLOR, 99, RGB, "ring.outerEndColor", N(255, 255, 255), ANY) \
	X(INNER_START_ALPHA, 100, F32, "ring.innerStartAlpha", N(1), ANY) \
	X(INNER_END_ALPHA, 101, F32, "ring.innerEndAlpha", N(1), ANY) \
	X(OUTER_START_ALPHA, 102, F32, "ring.outerStartAlpha", N(1), ANY) \
	X(OUTER_END_ALPHA, 103, F32, "ring.outerEndAlpha", N(1), ANY) \
	X(HAS_TICK_MARKS, 104, BOOL, "ring.hasTickMarks", NONE, ANY) \
	X(MAJOR_TICK_MARKS_ANGLE, 105, F32, "ring.majorTickMarksAngle", NONE, ANY) \
	X(MINOR_TICK_MARKS_ANGLE, 106, F32, "ring.minorTickMarksAngle", NONE, ANY) \
	X(MAJOR_TICK_MARKS_LENGTH, 107, F32, "ring.majorTickMarksLength", NONE, ANY) \
	X(MINOR_TICK_MARKS_LENGTH, 108, F32, "ring.minorTickMarksLength", NONE, ANY) \
	X(MAJOR_TICK_MARKS_COLOR, 109, RGB, "ring.majorTickMarksColor", N(255, 255, 255), ANY) \
	X(MINOR_TICK_MARKS_COLOR, 110, RGB, "ring.minorTickMarksColor", N(255, 255, 255), ANY)

#define ENTITY_PROPERTIES_LIGHT(X) \
	X(COLOR, 84, RGB, "color", N(255, 255, 255), ANY) \
	X(IS_SPOTLIGHT, 92, BOOL, "isSpotlight", NONE, ANY) \
	X(INTENSITY, 93, F32, "intensity", N(1), ANY) \
	X(EXPONENT, 94, F32, "exponent", NONE, ANY) \
	X(CUTOFF, 95, F32, "cutoff", N(1.5708), ANY) \
	X(FALLOFF_RADIUS, 96, F32, "falloffRadius", N(0.1), ANY)

#define ENTITY_PROPERTIES_ZONE(X) \
	X(SHAPE_TYPE, 82, ENUM, "shapeType", N(1), NAMES(shape_type)) \
	X(COMPOUND_SHAPE_URL, 83, STR, "compoundShapeURL", NONE, ANY) \
	X(KEYLIGHT_COLOR, 92, RGB, "keyLight.color", N(255, 255, 255), ANY) \
	X(KEYLIGHT_INTENSITY, 93, F32, "keyLight.intensity", N(1), ANY) \
	X(KEYLIGHT_DIRECTION, 94, VEC3, "keyLight.direction", N(0, -1, 0), ANY) \
	X(KEYLIGHT_CAST_SHADOW, 95, BOOL, "keyLight.castShadows", NONE, ANY) \
	X(KEYLIGHT_SHADOW_BIAS, 96, F32, "keyLight.shadowBias", N(0.5), RANGE(0, 1)) \
	X(KEYLIGHT_SHADOW_MAX_DISTANCE, 97, F32, "keyLight.shadowMaxDistance", N(40), RANGE(1, 250)) \
	X(AMBIENT_LIGHT_INTENSITY, 98, F32, "ambientLight.ambientIntensity", N(0.5), ANY) \
	X(AMBIENT_LIGHT_URL, 99, STR, "ambientLight.ambientURL", NONE, ANY) \
	X(SKYBOX_COLOR, 100, RGB, "skybox.color", NONE, ANY) \
	X(SKYBOX_URL, 101, STR, "skybox.url", NONE, ANY) \
	X(HAZE_RANGE, 102, F32, "haze.hazeRange", N(1000), ANY) \
	X(HAZE_COLOR, 103, RGB, "haze.hazeColor", N(128, 154, 179), ANY) \
	X(HAZE_GLARE_COLOR, 104, RGB, "haze.hazeGlareColor", N(255, 229, 179), ANY) \
	X(HAZE_ENABLE_GLARE, 105, BOOL, "haze.hazeEnableGlare", NONE, ANY) \
	X(HAZE_GLARE_ANGLE, 106, F32, "haze.hazeGlareAngle", N(20), ANY) \
	X(HAZE_ALTITUDE_EFFECT, 107, BOOL, "haze.hazeAltitudeEffect", NONE, ANY) \
	X(HAZE_CEILING, 108, F32, "haze.hazeCeiling", N(200), ANY) \
	X(HAZE_BASE_REF, 109, F32, "haze.hazeBaseRef", NONE, ANY) \
	X(HAZE_BACKGROUND_BLEND, 110, F32, "haze.hazeBackgroundBlend", NONE, RANGE(0, 1)) \
	X(HAZE_ATTENUATE_KEYLIGHT, 111, BOOL, "haze.hazeAttenuateKeyLight", NONE, ANY) \
	X(HAZE_KEYLIGHT_RANGE, 112, F32, "haze.hazeKeyLightRange", N(1000), ANY) \
	X(HAZE_KEYLIGHT_ALTITUDE, 113, F32, "haze.hazeKeyLightAltitude", N(200), ANY) \
	X(BLOOM_INTENSITY, 114, F32, "bloom.bloomIntensity", N(0.25), RANGE(0, 1)) \
	X(BLOOM_THRESHOLD, 115, F32, "bloom.bloomThreshold", N(0.7), RANGE(0, 1)) \
	X(BLOOM_SIZE, 116, F32, "bloom.bloomSize", N(0.9), RANGE(0, 2)) \
	X(FLYING_ALLOWED, 117, BOOL, "flyingAllowed", N(1), ANY) \
	X(GHOSTING_ALLOWED, 118, BOOL, "ghostingAllowed", N(1), ANY) \
	X(FILTER_URL, 119, STR, "filterURL", NONE, ANY) \
	X(KEY_LIGHT_MODE, 120, ENUM, "keyLightMode", NONE, NAMES(component_mode)) \
	X(AMBIENT_LIGHT_MODE, 121, ENUM, "ambientLightMode", NONE, NAMES(component_mode)) \
	X(SKYBOX_MODE, 122, ENUM, "skyboxMode", NONE, NAMES(component_mode)) \
	X(HAZE_MODE, 123, ENUM, "hazeMode", NONE, NAMES(component_mode)) \
	X(BLOOM_MODE, 124, ENUM, "bloomMode", NONE, NAMES(component_mode)) \
	X(AVATAR_PRIORITY, 125, ENUM, "avatarPriority", NONE, NAMES(avatar_priority)) \
	X(SCREENSHARE, 126, ENUM, "screenshare", NONE, NAMES(component_mode))

#define ENTITY_PROPERTIES_MATERIAL(X) \
	X(MATERIAL_URL, 92, STR, "materialURL", NONE, ANY) \
	X(MATERIAL_MAPPING_MODE, 93, ENUM, "materialMappingMode", NONE, NAMES(mapping_mode)) \
	X(MATERIAL_PRIORITY, 94, U16, "priority", NONE, ANY) \
	X(PARENT_MATERIAL_NAME, 95, STR, "parentMaterialName", S("0"), ANY) \
	X(MATERIAL_MAPPING_POS, 96, VEC2, "materialMappingPos", NONE, RANGE(0, 1)) \
	X(MATERIAL_MAPPING_SCALE, 97, VEC2, "materialMappingScale", N(1, 1), ANY) \
	X(MATERIAL_MAPPING_ROT, 98, F32, "materialMappingRot", NONE, ANY) \
	X(MATERIAL_DATA, 99, STR, "materialData", NONE, ANY) \
	X(MATERIAL_REPEAT, 100, BOOL, "materialRepeat", N(1), ANY)

/* X(TYPE, number, JSON name, identifier) */
#define ENTITY_TYPES(X) \
	X(BOX, 1, "Box", box) \
	X(SPHERE, 2, "Sphere", sphere) \
	X(SHAPE, 3, "Shape", shape) \
	X(MODEL, 4, "Model", model) \
	X(TEXT, 5, "Text", text) \
	X(IMAGE, 6, "Image", image) \
	X(WEB, 7, "Web", web) \
	X(PARTICLE_EFFECT, 8, "ParticleEffect", particle_effect) \
	X(LINE, 9, "Line", line) \
	X(POLYLINE, 10, "PolyLine", polyline) \
	X(POLYVOX, 11, "PolyVox", polyvox) \
	X(GRID, 12, "Grid", grid) \
	X(GIZMO, 13, "Gizmo", gizmo) \
	X(LIGHT, 14, "Light", light) \
	X(ZONE, 15, "Zone", zone) \
	X(MATERIAL, 16, "Material", material)
