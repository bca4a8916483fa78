/// What the stages' codes mean, for readers of another language than English.
///
/// A stage words its failures in English, with the details of the case. Where it says nothing but what stands here, the
/// translation takes its place; otherwise the translated meaning of the code comes first and the stage's own words follow.
enum FailureSentence {
    /// By the code of ``StageError``. A test compares the keys with the codes that the stages declare.
    static let byCode: [String: String] = [
        // Of ingest: most of them are refusals of `/create`.
        "unsupported-content-type": "The upload's media type is none that this server unpacks.",
        "content-type-mismatch": "The upload is compressed otherwise than its media type says.",
        "not-an-archive": "The upload is not a tar archive.",
        "truncated-archive": "The archive ends in the middle: it was cut off before or during the upload.",
        "damaged-archive": "The archive is damaged and cannot be unpacked to its end.",
        "unsafe-member": "The archive holds something other than regular files with bare names.",
        "unexpected-member": "The archive holds a file that does not belong to a crash.",
        "duplicate-member": "The archive holds the same file twice.",
        "member-too-large": "A file of the archive is larger than it may be.",
        "unreadable-member": "A file of the archive is not plain text.",
        "too-many-members": "The archive has more members than a crash can have.",
        "missing-member": "The archive lacks a file that every crash needs.",
        "unpacked-too-large": "The archive unpacks to more than this server takes.",
        "decompression-bomb": "The archive unpacks to far more than a real coredump would.",
        "not-a-coredump": "The file 'coredump' is not a coredump.",
        "damaged-coredump": "The coredump is damaged or cut off.",
        "unsupported-architecture": "The coredump is of an architecture that this server does not know.",
        "unknown-executable": "Neither the core nor the file 'executable' says which program crashed.",
        "wrong-task-type": "This is the dump of a kernel, and the request says that it is of a program.",
        "not-a-vmcore": "The file 'vmcore' is not the dump of a kernel.",
        "damaged-vmcore": "The kernel's dump is damaged or cut off.",
        "upload-missing": "The upload of this task is gone.",

        // Of every stage.
        "disk-full": "A disk of the server is full.",
        "too-many-attempts": "The server began with this stage several times and never came to its end.",
        "internal-error": "Something that no rule foresaw happened in the server.",
        "abandoned": "Nothing was heard of the task for too long, so it was given up.",
        "interrupted": "The service was stopped in the middle of the task.",

        // Of the resolver and of mirrors.
        "unknown-release": "The release that crashed is not known to this server.",
        "release-not-mirrored": "The release that crashed has no package index here.",
        "index-unusable": "The package index of the release cannot be used.",
        "index-failed": "The package index of the release could not be made.",
        "synchronisation-running": "The release is being synchronised already.",
        "mirrors-unreachable": "No mirror gave what was asked for.",
        "bad-signature": "A signature of the repository is missing or wrong.",
        "metadata-refused": "The repository's metadata was refused: it is too old, or contradicts itself.",
        "repository-missing": "A repository of the release is not where its mirrors should have it.",
        "altered-file": "A file of a mirror is not what the signed metadata says.",
        "unknown-package": "A package is in no repository, or its dependencies cannot be met.",

        // Of the chroot builder.
        "debugger-not-mirrored": "The mirror of the release has no complete debugger.",
        "debugger-unusable": "The debugger of the release cannot be started.",
        "foreign-architecture": "The debugger for this architecture does not run on the server's host.",
        "unknown-distribution": "No plugin of this server describes the distribution.",

        // Of the retracer.
        "gdb-timeout": "gdb was stopped at its time limit and had printed no frame.",
        "gdb-out-of-memory": "gdb ran out of memory.",
        "gdb-output-limit": "gdb printed too much without a single frame.",
        "gdb-failed": "gdb failed and had printed no frame.",
        "core-unreadable": "gdb does not take the uploaded file for a core dump.",
        "core-truncated": "The core is cut off, and gdb found no stack in what is there.",
        "no-frames": "gdb read the core but found no stack in it.",
        "dump-unreadable": "The debugger's user may not read the dump that was named on the server.",
        "sandbox-unavailable": "The sandbox for gdb could not be started.",
        "debugger-missing":
            "No debugger on this server reads the dumps of this kernel, and its log cannot be read from the dump alone.",
        "vmlinux-missing":
            "There are no debug symbols for this kernel, and its log cannot be read from the dump alone.",
        "vmlinux-mismatch":
            "The symbols at hand are not those of the kernel that crashed, and its log cannot be read without.",
        "vmcore-unreadable": "crash finds no kernel in the dump, and there is no log in it.",
        "crash-timeout":
            "crash was stopped before it could tell anything of the dump, which has no readable log.",
        "crash-out-of-memory": "crash ran out of memory before it could tell anything of the dump.",
    ]

    /// Advice of the stages that is the same in every case; any other is shown in English.
    static let advice = [
        "Pack the files of the crash with tar, compressed as the media type says.",
        "Check that the disk of the sending machine was not full, then pack and send it again.",
        "Pack and send it again.",
        "Pack every file of the crash once.",
        "Pack the files of the crash into it.",
        "Write it as plain text.",
        "Write it as one line of plain text.",
        "It should hold one short text.",
        "That is all that this server takes; coredump_filter (core(5)) makes cores smaller.",
        "Real cores do not; if this one does, ask the server's operator to raise the limit.",
        "Send it with the media type that it has.",
        "Send the core again from the machine, uncut.",
        "Send the crash again.",
        "Send the crash again; if that ends the same way, tell the operator that no worker takes the stage.",
        "Write the program's absolute path into the file 'executable'.",
        "Send it as a file named vmcore with X-Task-Type: 2, from the web page by the choice that the kernel crashed.",
        "Pack the kernel's dump as a file named vmcore.",
        "That is all that this server takes; makedumpfile -d 31 makes dumps of kernels smaller.",
        "Send the dump again from the machine, uncut.",
        "Make the file readable for everybody, or send the dump instead of naming it.",
        "Try again later.",
        "Try again later, or tell the server's operator.",
        "Try again later; its operator finds the cause in the log.",
        "Tell the operator of the server: its log has the cause.",
        "Make the core anew, whole: look at the limits of its size (ulimit -c, coredump.conf) and at the disk.",
        "Upload the core as the kernel or gdb's gcore wrote it.",
        "The core is most likely cut off or damaged; make it anew, whole.",
        "The core is most likely damaged; send the program's maintainers another one.",
        "Have the operator mirror the debug package of exactly that kernel, then send the dump again.",
        "Raise the retracer's time limit if dumps of this size are usual.",
        "Raise the retracer's memory limit if dumps of this size are usual.",
        "The dump is most likely cut off or damaged; save the next one whole, and look at the disk that it goes to.",
    ]
}
