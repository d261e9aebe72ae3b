// Failures.swift — turns the answers of SQLite and of the operating system into `StoreError`s.
// Next: StoreError.swift.

internal import GRDB
internal import Glibc

extension StoreError {
    /// The error of a refused system call.
    init(errno code: Int32, operation: String, path: String) {
        let failure = Failure(
            operation: operation, path: path, sqliteCode: nil,
            message: String(cString: strerror(code)))
        switch code {
        case ENOSPC, EDQUOT: self = .diskFull(failure)
        case EROFS, EACCES, EPERM: self = .readOnly(failure)
        default: self = .failed(failure)
        }
    }

    /// The error of a refused statement, or of a row that is not what the schema promises.
    init(_ error: any Error, operation: String, path: String) {
        switch error {
        case let error as StoreError:
            self = error
        case let error as DatabaseError:
            let failure = Failure(
                operation: operation, path: path,
                sqliteCode: error.extendedResultCode.rawValue,
                message: error.message ?? "\(error.extendedResultCode)")
            switch error.extendedResultCode {
            // SHMSIZE: the index of the log could not grow (<https://www.sqlite.org/rescode.html>).
            case .SQLITE_FULL, .SQLITE_IOERR_SHMSIZE: self = .diskFull(failure)
            case .SQLITE_READONLY, .SQLITE_PERM: self = .readOnly(failure)
            case .SQLITE_BUSY, .SQLITE_LOCKED: self = .locked(failure)
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .corrupt(failure)
            default: self = .failed(failure)
            }
        default:
            // GRDB's own decoding errors: a column holds another type than the schema says.
            self = .corrupt(
                Failure(operation: operation, path: path, sqliteCode: nil, message: "\(error)"))
        }
    }
}
