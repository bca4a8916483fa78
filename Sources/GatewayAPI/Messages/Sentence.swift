/// What the API says when it refuses: what happened, and what to do next.
///
/// The raw value is the English text, and the msgid of the catalogues in `Translations/`. A `{name}` is a gap that the
/// place of use fills. A new sentence is a new case here and an entry in every catalogue; a test insists.
enum Sentence: String, CaseIterable {
    // Addresses, passwords and faults.
    case httpsOnly = "This server takes coredumps and gives results over HTTPS only."
    case useHTTPS = "Use an https:// address."
    case nothingHere = "There is nothing at this address."
    case whereThingsAre = "Tasks are at /<task id>, and the front page says what else there is."
    case noSuchTask = "There is no such task here."
    case checkTheID = "It may have been removed; check the id that you were given."
    case wrongPassword = "The password of this task is missing or wrong."
    case sendThePassword = "Send the one that came with the task's id in the header X-Task-Password."
    case ownFault = "The server could not answer because of a fault of its own."
    case onlyTheseMethods = "This address takes {methods} only."
    case quoteTheRequest = "Try again; if it stays, tell the operator that the request was {request}."
    case metricsNotPublic = "Metrics are not public on this server."
    case operatorAllowsMetrics = "Its operator can allow them with http.metrics."

    // Results of a task.
    case notThereYet = "{path} is not there yet."
    case askAgain = "Ask again when {task} says that the task has ended."
    case notMade = "The task has ended without {path}."
    case notMadeByFailure = "{path} was not made, because the task failed."
    case logSaysWhy = "{log} says why."
    case noByteInRange = "The result has {bytes} bytes; none of them was asked for."
    case askWithoutRange = "Ask for it again without Range."
    case tooManyListeners = "As many clients listen already as the server lets listen."
    case askNowAndThen = "Ask for {task} now and then instead."

    // What is done to tasks, and forms of the pages.
    case deletionNotAllowed = "Tasks are not deleted by their owners on this server."
    case seeWhenTasksGo = "The front page says when they are removed; its operator can remove one earlier."
    case taskNotRemoved = "The task could not be removed from the server's disk."
    case tryAgainOrTell = "Try again; if it stays, tell the operator."
    case taskDeleted = "Task {task} is deleted."
    case formOfAnotherSite = "Another site sent this form."
    case openTheTask = "Open {task} and give the password there."
    case formTooLarge = "The form is larger than any that this page has."

    // Packages and mirrors.
    case packageMissing = "The header X-Package-NVR is missing."
    case packageMalformed = "X-Package-NVR is not written like a package."
    case architectureMissing = "The header X-Package-Arch is missing."
    case architectureMalformed = "X-Package-Arch is not one word of letters, digits and underscores."
    case releaseMalformed = "X-OS-Release is not written like a release id."
    case howToAskForAPackage =
        "Send X-Package-NVR as bash-5.2.15-5.fc40, X-Package-Arch as x86_64 and X-OS-Release as fedora-40-x86_64."
    case repositoriesNotPublic = "The mirrored packages are not public on this server."
    case operatorAllowsRepositories = "Its operator can allow them with http.repos."

    // The headers of an upload.
    case postOnly = "Coredumps are sent here with POST."
    case seeFrontPage = "See the front page."
    case unknownMediaType = "An upload of this media type is not taken."
    case takenMediaTypes = "Taken are: {formats}."
    case lengthMissing = "The upload does not say how long it is."
    case sendLength = "Send Content-Length; chunked uploads are not taken."
    case lengthIsNoNumber = "Content-Length is not a number of bytes."
    case uploadTooLarge = "The upload is larger than {limit} MiB, which is all that is taken."
    case compressBetter = "Compress it better, for instance with xz, or ask the operator for a higher limit."
    case noDirectoryOfServer = "This server takes no coredump from a directory of its own."
    case sendTheArchive = "Send the archive in the body, without X-CoreFileDirectory."
    case noDumpOnServer = "There is no such dump on the server."
    case nameTheDump = "Name the file, or a directory with that file alone in it."
    case dumpOutsideOfDirectories = "The dump is in no directory of the server whose dumps may be named."
    case seeServerDumps = "Its operator can add the directory to http.serverdumps."
    case severalDumpsOnServer = "The directory does not hold exactly one file."
    case otherTypeOnServer = "The file on the server is not of the media type that the request says."
    case dumpNotReadable = "The services' user may not read that dump."
    case letServicesRead =
        "Let that user read the file and enter its directory, or send the dump instead of naming it."
    case sendItsMediaType = "Send the media type that the file has."
    case onlyOperatorsNameDumps = "Only who is on the server itself may name a dump there."
    case onlyKernelDumpsOnServer = "Only dumps of kernels may be named on the server."
    case taskTypeIsNoNumber = "X-Task-Type is not a number."
    case taskTypes = "Send 0 for a coredump, 2 for a vmcore."
    case noInteractiveTasks = "This server keeps no task for an interactive session."

    // What one client may, and what all together may.
    case tooManyWrongPasswords = "Too many wrong passwords or unknown tasks came from your address."
    case checkIDAndPassword = "Check the task's id and password, and try again later."
    case tooManyUploads = "{limit} uploads are under way from your address, which is all it may."
    case waitForAnUpload = "Wait until one of them has ended."
    case tooManyTasksInAnHour = "{limit} uploads came from your address within an hour, which is all it may."
    case tryLaterOrAskForMore = "Try again later, or ask the operator for a higher limit."
    case tooManyInWork = "{limit} uploads and tasks from your address are in work, which is all it may."
    case tooMuchDiskSpace = "The uploads under way from your address take as much disk space as it may."
    case tooManyJobsWait = "The server is busy: too many tasks wait for its workers."

    // The upload and its way to ingest.
    case uploadWentSilent = "Nothing more of the upload came after {received} of {declared} bytes."
    case uploadTrickles =
        "The upload came with less than {pace} KiB a second on average; {received} of {declared} bytes were there."
    case busy = "The server is busy with as many tasks as it takes ({limit})."
    case tryAgainInAWhile = "Try again in a while."
    case diskFull = "The server has not enough free disk space for this upload."
    case tryLaterOrTell = "Try again later, or tell the operator."
    case freeSpaceUnknown = "The server does not know how much disk space it has left."
    case tellTheOperator = "Tell the operator."
    case uploadTooSlow = "The upload took longer than the {seconds} seconds it may take."
    case compressOrHurry = "Compress it better or use a faster connection."
    case longerThanDeclared = "The upload is longer than its Content-Length."
    case uploadIncomplete = "The upload ended after {received} of {declared} bytes."
    case sendItAgain = "Send it again."
    case uploadNotStored = "The server could not store the upload."
    case noWorkerIsFree = "No worker is free to look at the upload."
    case workersUnreachable = "The server cannot reach its workers."
    case nothingWasKept = "Try again in a while; nothing was kept."
}
