/* The words of enumerations; the number on the wire is the place in the list (protocol 06b section
 * 5). Shapes travel as words. */
#pragma once

/* clang-format off */

/* X(list, words…) */
#define PROPERTY_NAMES(X) \
	X(shape, "Circle", "Cone", "Cube", "Cylinder", "Dodecahedron", "Hexagon", "Icosahedron", \
		"Octagon", "Octahedron", "Quad", "Sphere", "Tetrahedron", "Torus", "Triangle") \
	X(render_layer, "world", "front", "hud") \
	X(primitive_mode, "solid", "lines") \
	X(billboard_mode, "none", "yaw", "full") \
	X(pulse_mode, "none", "in", "out") \
	X(shape_type, "none", "box", "sphere", "capsule-x", "capsule-y", "capsule-z", "cylinder-x", \
		"cylinder-y", "cylinder-z", "hull", "plane", "compound", "simple-hull", \
		"simple-compound", "static-mesh", "ellipsoid", "circle", "multisphere") \
	X(component_mode, "inherit", "disabled", "enabled") \
	X(avatar_priority, "inherit", "crowd", "hero") \
	X(text_effect, "none", "outline", "outline fill", "shadow") \
	X(alignment, "left", "center", "right") \
	X(input_mode, "touch", "mouse") \
	X(gizmo_type, "ring") \
	X(mapping_mode, "uv", "projected")
