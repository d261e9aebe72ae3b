// WorkingDirectory.swift — relative paths made absolute, for a host that has another working
// directory.

internal import Glibc

enum WorkingDirectory {
    /// `path` from the root; links and `..` are left for the host to follow.
    static func absolute(_ path: String) throws -> String {
        guard !path.hasPrefix("/") else { return path }
        guard let current = getcwd(nil, 0) else {
            throw UsageError(
                description: "the working directory is gone (\(String(cString: strerror(errno)))); "
                    + "name the file by an absolute path")
        }
        defer { free(current) }
        return String(cString: current) + "/" + path
    }
}
