"""The object files of libraries, and of all that they depend on: what packages make one archive of."""

def _objects_impl(ctx):
    objects = {}
    for dep in ctx.attr.deps:
        for input in dep[CcInfo].linking_context.linker_inputs.to_list():
            for library in input.libraries:
                for object in library.pic_objects or library.objects or []:
                    objects[object] = True
    return [DefaultInfo(files = depset(objects.keys()))]

objects = rule(
    implementation = _objects_impl,
    attrs = {"deps": attr.label_list(providers = [CcInfo])},
)
