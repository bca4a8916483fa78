package import CrashModel

/// What the server gave for a task: whoever has both may read its results.
package struct TaskCredentials: Hashable, Sendable {
    package let task: TaskID
    package let password: String

    package init(task: TaskID, password: String) {
        self.task = task
        self.password = password
    }
}
