// Nocturne
